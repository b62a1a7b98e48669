/** How sure the model was of a token, in four bands: as few as can be told apart at reading speed. */

export interface Band {
  readonly name: 'high' | 'fair' | 'low' | 'guess';
  readonly label: string;
  /** Least probability of the band. */
  readonly from: number;
}

export const bands: readonly Band[] = [
  { name: 'high', label: '90 % and more', from: 0.9 },
  { name: 'fair', label: '50–90 %', from: 0.5 },
  { name: 'low', label: '20–50 %', from: 0.2 },
  { name: 'guess', label: 'under 20 %', from: 0 },
];

/** @param logprob natural logarithm of the token's probability */
export function bandOf(logprob: number): Band {
  const probability = Math.exp(logprob);
  return bands.find(({ from }) => probability >= from) ?? bands[bands.length - 1];
}

export function percent(logprob: number): string {
  const value = 100 * Math.exp(logprob);
  return value >= 99.95 ? '100 %' : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}
