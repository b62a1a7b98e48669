/**
 * What transformers' `generate()` does to a row of logits before a token is chosen. Each step works in place on
 * float32 scores, as the original does; excluded tokens become -Infinity.
 *
 * Source of the behaviour: transformers 5 `generation/logits_process.py`, order of `_get_logits_processor`:
 * repetition penalty, suppressed tokens, then (when sampling) temperature, top-k, top-p.
 */

/** Divides positive and multiplies negative scores of every id in `ids` (prompt and image places included) once. */
export function penaliseRepetition(scores: Float32Array, ids: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  // torch casts a Python number to the type of the tensor before it multiplies.
  const factor = Math.fround(penalty);
  const seen = new Set<number>();
  for (const id of ids) {
    if (seen.has(id) || id < 0 || id >= scores.length) continue;
    seen.add(id);
    const score = scores[id]!;
    scores[id] = score < 0 ? score * factor : score / factor;
  }
}

export function suppress(scores: Float32Array, ids: readonly number[]): void {
  for (const id of ids) if (id < scores.length) scores[id] = -Infinity;
}

export function applyTemperature(scores: Float32Array, temperature: number): void {
  if (temperature === 1) return;
  const divisor = Math.fround(temperature);
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! / divisor;
}

/** Excludes every score below the k-th largest; ties with it stay, so more than k may remain. 0 switches it off. */
export function keepTopK(scores: Float32Array, k: number): void {
  if (k <= 0 || k >= scores.length) return;
  const threshold = kthLargest(scores, k);
  for (let i = 0; i < scores.length; i++) if (scores[i]! < threshold) scores[i] = -Infinity;
}

/**
 * Excludes the least likely tokens whose probabilities together are at most 1 - topP; the most likely one always
 * stays. Equal scores are cut in order of id.
 */
export function keepTopP(scores: Float32Array, topP: number): void {
  if (topP >= 1) return;
  const best = firstMaximum(scores);
  const top = scores[best]!;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - top);
  const allowance = 1 - topP;
  // Scores so small that all of them together stay below the allowance need no sorting: a vocabulary has 150,000.
  const negligible = Math.log((sum * allowance) / scores.length) + top;
  let removed = 0;
  const candidates: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score < negligible) {
      removed += Math.exp(score - top);
      scores[i] = -Infinity;
    } else candidates.push(i);
  }
  candidates.sort((a, b) => scores[a]! - scores[b]! || a - b);
  for (let n = 0; n < candidates.length - 1; n++) {
    const id = candidates[n]!;
    removed += Math.exp(scores[id]! - top);
    if (removed / sum > allowance) break;
    scores[id] = -Infinity;
  }
}

/** Index of the first maximum, as torch.argmax has it; a NaN counts as the maximum there and here. */
export function firstMaximum(scores: Float32Array): number {
  let best = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (Number.isNaN(score)) return i;
    if (score > scores[best]!) best = i;
  }
  return best;
}

function kthLargest(scores: Float32Array, k: number): number {
  // A sorted typed copy is native code: 150,000 scores take a few milliseconds.
  const sorted = Float32Array.from(scores).sort();
  return sorted[sorted.length - k]!;
}
