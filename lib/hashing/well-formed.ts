/** The method is ES2024: older engines lack it, and so do the type libraries up to ES2023. */
interface MaybeChecked {
  isWellFormed?(): boolean;
}

/** True where no surrogate stands alone: what UTF-8 can hold without a loss. */
export function isWellFormed(text: string): boolean {
  return (text as MaybeChecked).isWellFormed?.() ?? !/\p{Surrogate}/u.test(text);
}
