/**
 * verl: train.parquet with data_source, agent_name, prompt, images (paths relative to this folder), ability, and
 * reward_model and extra_info as structs; images/ beside it. Only runs whose right answer is known.
 * Source: IQuestLab/unireason-med code/rl/examples/data_preprocess/unireason_med_2d3dmix.py, verl/utils/dataset/
 * rl_dataset.py at 77f447b: every `<image>` in the prompt has one path.
 */
import { structValue } from '@duckdb/node-api';
import { type ExportOptions, type FormatWriter, NotExportable } from '../export-run.ts';
import type { OutputFolder } from '../output-folder.ts';
import { ParquetTables } from './parquet-tables.ts';
import { groundTruth, promptOf, provenanceOf } from './sample.ts';
import { rewardModel, rlConstants } from './unimed-cot.ts';
import { messagesType, messagesValue, textsValue } from './values.ts';

const columns = [
  'data_source VARCHAR',
  'agent_name VARCHAR',
  `prompt ${messagesType}`,
  'images VARCHAR[]',
  'ability VARCHAR',
  'reward_model STRUCT(style VARCHAR, ground_truth VARCHAR)',
  'extra_info STRUCT(split VARCHAR, "index" BIGINT, run_id VARCHAR, "case" VARCHAR, question VARCHAR, answer VARCHAR, ' +
    'model_answer VARCHAR, model VARCHAR, model_sha256 VARCHAR, reader VARCHAR, reviewed BOOLEAN, synthetic BOOLEAN, ' +
    'source_sha256 VARCHAR[], notice VARCHAR)',
];

export async function openVerl(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  const tables = await ParquetTables.create(folder, { train: columns.join(', ') }, options.signal);
  return {
    async add(item) {
      const truth = groundTruth(item);
      if (!truth) {
        throw new NotExportable('Nobody says which answer is right: there is nothing to reward by.');
      }
      const prompt = await promptOf(item);
      const paths: string[] = [];
      for (const { id, png } of prompt.images) {
        const path = `images/${id}.png`;
        if (!(await folder.has(path))) await folder.write(path, await png());
        paths.push(path);
      }
      const origin = provenanceOf(item);
      const { trace, summary } = item.findings;
      tables.append('train', [
        rlConstants.data_source,
        rlConstants.agent_name,
        messagesValue(prompt.messages),
        textsValue(paths),
        rlConstants.ability,
        structValue(rewardModel(truth)),
        structValue({
          split: 'train',
          index: BigInt(tables.rows('train')),
          run_id: origin.run_id,
          case: origin.case,
          question: trace.question,
          answer: truth,
          model_answer: summary.answer?.answers.inference ?? null,
          model: origin.model,
          model_sha256: origin.model_sha256,
          reader: origin.reader,
          reviewed: origin.reviewed,
          synthetic: origin.synthetic,
          source_sha256: textsValue(origin.source_sha256),
          notice: origin.notice,
        }),
      ]);
    },
    async finish() {
      if (tables.rows('train') > 0) await tables.write('train', 'train.parquet');
    },
    close: () => tables.close(),
  };
}
