/** The method is ES2024: older engines lack it, and so do the type libraries up to ES2023. */
interface MaybeChecked {
  isWellFormed?(): boolean;
}

/** True where no surrogate is alone: UTF-8 holds such a text without loss. */
export function isWellFormed(text: string): boolean {
  return (text as MaybeChecked).isWellFormed?.() ?? !/\p{Surrogate}/u.test(text);
}
