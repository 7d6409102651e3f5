/** The method is ES2024: older engines lack it, and so do the type libraries up to ES2023. */
interface MaybeChecked {
  isWellFormed?(): boolean;
}

interface Checked {
  isWellFormed(): boolean;
}

/** True where no surrogate stands alone: what UTF-8 can hold without a loss. */
export const isWellFormed = checkOf(String.prototype as MaybeChecked);

/** The check of an engine with such a `String.prototype`. */
export function checkOf(prototype: MaybeChecked): (text: string) => boolean {
  if (prototype.isWellFormed === undefined) return hasNoLoneSurrogate;
  return (text) => (text as unknown as Checked).isWellFormed();
}

/** The same for engines without the method. */
export function hasNoLoneSurrogate(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
