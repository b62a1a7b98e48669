/**
 * Where every weight lies in the data files: known before a byte is written, because shapes decide it. A file is the
 * unit of resumption, so files stay small beside a large checkpoint; a tensor is never split.
 */
import type { Place } from '../graphs/graph-builder.ts';
import type { WeightJob } from './weight-job.ts';

/** A file is closed once it has this many bytes. */
const fileTarget = 256 * 1024 * 1024;
/** ONNX asks for page alignment where a tensor should be mapped; below a megabyte a cache line is enough. */
const pageBytes = 4096;
const lineBytes = 64;
const mappedFrom = 1024 * 1024;

export interface PlannedJob {
  readonly job: WeightJob;
  /** Offsets of `job.outputs` in the file, ascending. */
  readonly offsets: readonly number[];
}

export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  readonly jobs: readonly PlannedJob[];
}

export interface DataPlan {
  readonly files: readonly DataFile[];
  /** By job key. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
}

/** @param jobs of all graphs; those with equal keys get one place */
export function planData(jobs: readonly WeightJob[]): DataPlan {
  const byBase = new Map<string, Map<string, WeightJob>>();
  const seen = new Set<string>();
  for (const job of jobs) {
    if (seen.has(job.key)) continue;
    seen.add(job.key);
    const group = byBase.get(job.fileBase) ?? new Map<string, WeightJob>();
    byBase.set(job.fileBase, group.set(job.key, job));
  }
  const files: DataFile[] = [];
  const places = new Map<string, readonly Place[]>();
  for (const [base, group] of byBase) {
    let open: { name: string; bytes: number; jobs: PlannedJob[] } | null = null;
    let number = 0;
    for (const job of group.values()) {
      if (open === null || open.bytes >= fileTarget) {
        open = { name: `${base}.${String(number++).padStart(3, '0')}.bin`, bytes: 0, jobs: [] };
        files.push(open);
      }
      const offsets: number[] = [];
      for (const output of job.outputs) {
        const alignment = output.bytes >= mappedFrom ? pageBytes : lineBytes;
        const offset = Math.ceil(open.bytes / alignment) * alignment;
        offsets.push(offset);
        open.bytes = offset + output.bytes;
      }
      open.jobs.push({ job, offsets });
      const { name } = open;
      places.set(
        job.key,
        offsets.map((offset) => ({ file: name, offset })),
      );
    }
  }
  return { files, places };
}
