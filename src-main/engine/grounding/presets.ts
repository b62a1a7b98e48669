/** What each ablation changes. Everything else is the same run, so that differences have one cause. */

import { missingCase } from '../../../src-contract/errors.ts';
import type { ProcessorBox } from '../../../src-contract/geometry.ts';
import type { Preset } from '../../../src-contract/run-events.ts';
import { type Random, randomLowOverlapBox } from '../../slices/random-box.ts';
import type { ChatTokenizer } from '../language-model.ts';
import type { CropSpace } from './crops.ts';

/**
 * Tokens that may not be chosen. `text-only` loses the end of a box along with its start: a model that writes the
 * coordinates all the same would otherwise end its run there, for want of a box, before it could answer.
 */
export function suppressedTokens(preset: Preset, specials: ChatTokenizer['specials']): number[] {
  return preset === 'text-only' ? [specials.boxStart, specials.boxEnd] : [];
}

/** Which box is cut for the predicted one, and whether the crop goes back into the context. */
export function chooseCrop(
  preset: Preset,
  predicted: ProcessorBox,
  space: CropSpace,
  random: Random,
): { injected: 'predicted' | 'random' | 'none'; box: ProcessorBox } {
  switch (preset) {
    case 'grounded':
    case 'text-only':
      return { injected: 'predicted', box: predicted };
    case 'random-crop':
      return { injected: 'random', box: randomLowOverlapBox(random, space, predicted) };
    case 'no-injection':
      return { injected: 'none', box: predicted };
    default:
      return missingCase(preset);
  }
}
