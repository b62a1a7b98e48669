/**
 * McNemar's exact test (1947): did one of two runs over the same cases get more of them right than chance explains?
 * @param onlyA cases that only the first got right
 * @param onlyB cases that only the second got right
 * @returns two-sided p by the binomial distribution; null where the runs differ on no case
 */
export function mcnemarExact(onlyA: number, onlyB: number): number | null {
  const n = onlyA + onlyB;
  if (n === 0) return null;
  // Terms of the binomial distribution with p = 1/2, by logarithms: n may be thousands.
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyA, onlyB); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}
