/**
 * UniMed-CoT in the layout of the release: sft/ {messages, image_ids}, rl/ {data_source, agent_name, prompt, image_ids,
 * ability, reward_model (JSON), extra_info (JSON)}, images/ {image_id, path, bytes}. The release has no column for where
 * a record comes from: provenance.jsonl has one line a row of sft, in its order.
 * Source: IQuestLab/UniReason-Med-Data; code/rl/examples/data_preprocess/unireason_med_2d3dmix.py at 77f447b.
 */
import { blobValue } from '@duckdb/node-api';
import type { ExportOptions, FormatWriter } from '../export-run.ts';
import type { OutputFolder } from '../output-folder.ts';
import { ParquetTables } from './parquet-tables.ts';
import { groundTruth, type Sample, sampleOf } from './sample.ts';
import { messagesType, messagesValue, textsValue } from './values.ts';

/** What verl's reward needs: the letter; see urm's compute_score. */
export const rewardModel = (letter: string): { style: 'rule'; ground_truth: string } => ({
  style: 'rule',
  ground_truth: letter,
});

export const rlConstants = {
  data_source: 'readroom',
  agent_name: 'urm_single_assistant',
  ability: 'medical_vqa',
} as const;

const part = 'train-00000-of-00001.parquet';

export async function openUnimedCot(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  const tables = await ParquetTables.create(
    folder,
    {
      sft: `messages ${messagesType}, image_ids VARCHAR[]`,
      rl:
        `data_source VARCHAR, agent_name VARCHAR, prompt ${messagesType}, image_ids VARCHAR[], ability VARCHAR, ` +
        'reward_model VARCHAR, extra_info VARCHAR',
      images: 'image_id VARCHAR, path VARCHAR, bytes BLOB',
    },
    options.signal,
  );
  const provenance = await folder.openFile('provenance.jsonl');
  const writeImages = imageAppender(tables);
  return {
    async add(item) {
      const sample = await sampleOf(item);
      await writeImages(sample);
      tables.append('sft', [messagesValue(sample.messages), textsValue(sample.images.map(({ id }) => id))]);
      await provenance.write(`${JSON.stringify(sample.provenance)}\n`);
      const truth = groundTruth(item);
      if (!truth) return;
      tables.append('rl', [
        rlConstants.data_source,
        rlConstants.agent_name,
        messagesValue(sample.messages.slice(0, -1)),
        textsValue(sample.images.slice(0, sample.slices).map(({ id }) => id)),
        rlConstants.ability,
        JSON.stringify(rewardModel(truth)),
        JSON.stringify({ split: 'train', index: tables.rows('rl'), ...sample.provenance }),
      ]);
    },
    async finish() {
      for (const split of ['sft', 'rl', 'images']) await tables.write(split, `${split}/${part}`);
      await provenance.close();
    },
    close: () => tables.close(),
  };
}

/** Each picture once: slices are shared by the runs of a case, crops belong to one run. */
function imageAppender(tables: ParquetTables): (sample: Sample) => Promise<void> {
  const sets = new Set<string>();
  return async ({ images, slices }) => {
    const [first] = images;
    const isNew = first !== undefined && !sets.has(first.id);
    if (isNew) sets.add(first.id);
    for (const { id, png } of isNew ? images : images.slice(slices)) {
      tables.append('images', [id, `images/${id}.png`, blobValue(await png())]);
    }
  };
}
