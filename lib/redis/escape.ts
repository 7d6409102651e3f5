/** Percent-encodes characters with a meaning in Redis or in our names, and lone surrogates, which UTF-8 cannot hold. */
export function escape(text: string): string {
  return text.replace(/[%{}*?[\]\\^\s\p{Cc}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase();
    return `%${code.length > 2 ? `u${code}` : code.padStart(2, '0')}`;
  });
}

/** Undoes `escape`. */
export function unescape(text: string): string {
  return text.replace(/%(?:u([\dA-F]{4})|([\dA-F]{2}))/g, (_, wide: string | undefined, narrow: string) =>
    String.fromCodePoint(parseInt(wide ?? narrow, 16)),
  );
}
