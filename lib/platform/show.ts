/** A value as an error message shows it: short, and whatever its getters and proxies do. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
    if (Array.isArray(value)) return showList(value);
    if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
    return Object.is(value, -0) ? '-0' : String(value);
  } catch {
    return 'an object that cannot be shown';
  }
}

/** Without what is in lists inside, which may be endless. */
function showList(list: readonly unknown[]): string {
  const items = list.slice(0, 10).map((item) => (Array.isArray(item) ? '[…]' : show(item)));
  return `[${items.join(', ')}${list.length > 10 ? ', …' : ''}]`;
}
