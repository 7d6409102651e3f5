/** The value below which the share `q` of `values` lies, by linear interpolation. */
export function quantile(values, q) {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low || 0);
}

export const median = (values) => quantile(values, 0.5);

export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function summarize(values) {
  return { median: median(values), lower: quantile(values, 0.25), upper: quantile(values, 0.75) };
}

/** Ratios within each round, so that a machine that slows down slows both sides of a ratio. */
export function ratiosOf(values, floorValues) {
  return values.map((value, round) => value / floorValues[round]);
}

/** The exponent e of the best fit of y = c * x ** e. */
export function exponentOf(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length;
  const rise = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return rise / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
