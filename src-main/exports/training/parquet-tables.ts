/**
 * Parquet by DuckDB: rows go into a database file beside the output, and from there into zstd-compressed Parquet, so that
 * memory does not grow with their number.
 */
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBValue,
} from '@duckdb/node-api';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { researchNotice } from '../../../src-contract/trace.ts';
import { writeError } from '../../trace/atomic-write.ts';
import type { OutputFolder } from '../output-folder.ts';

/** Rows between two flushes: pictures of these are in memory at a time. */
const flushEvery = 256;
/** Of pictures in one row group: the least that DuckDB writes, since a group is put together in memory. */
const rowGroup = 2048;
const workName = 'working.duckdb';

export class ParquetTables {
  readonly #folder: OutputFolder;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #appenders = new Map<string, { appender: DuckDBAppender; rows: number; waiting: number }>();
  readonly #stop: () => void;
  readonly #signal: AbortSignal | undefined;
  #closed = false;

  private constructor(
    folder: OutputFolder,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    signal: AbortSignal | undefined,
  ) {
    this.#folder = folder;
    this.#instance = instance;
    this.#connection = connection;
    this.#signal = signal;
    this.#stop = () => connection.interrupt();
    signal?.addEventListener('abort', this.#stop);
  }

  /** @param tables name -> column definitions in SQL */
  static async create(
    folder: OutputFolder,
    tables: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<ParquetTables> {
    const file = await folder.reserve(workName);
    const instance = await DuckDBInstance.create(file, { threads: '2', memory_limit: '512MB' });
    const connection = await instance.connect();
    const made = new ParquetTables(folder, instance, connection, signal);
    for (const [name, columns] of Object.entries(tables)) {
      await connection.run(`CREATE TABLE ${name} (${columns})`);
      made.#appenders.set(name, { appender: await connection.createAppender(name), rows: 0, waiting: 0 });
    }
    return made;
  }

  append(table: string, values: readonly DuckDBValue[]): void {
    const open = this.#appenders.get(table);
    if (!open) throw new TypeError(`no table '${table}'`);
    values.forEach((value, column) => {
      open.appender.appendValue(value, open.appender.columnType(column));
    });
    open.appender.endRow();
    open.rows++;
    if (++open.waiting < flushEvery) return;
    open.waiting = 0;
    open.appender.flushSync();
  }

  rows(table: string): number {
    return this.#appenders.get(table)?.rows ?? 0;
  }

  /** Writes one table into a file of the folder. */
  async write(table: string, name: string): Promise<void> {
    const open = this.#appenders.get(table);
    open?.appender.flushSync();
    const path = await this.#folder.reserve(name);
    const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
    try {
      await this.#connection.run(
        `COPY (SELECT * FROM ${table}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, ` +
          `ROW_GROUP_SIZE ${rowGroup}, KV_METADATA {readroom: ${quoted(researchNotice)}})`,
      );
    } catch (thrown) {
      if (this.#signal?.aborted) throw new ReadroomError('cancelled', 'The export was stopped.');
      throw writeError(thrown, path);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#stop);
    for (const { appender } of this.#appenders.values()) {
      try {
        appender.closeSync();
      } catch {
        // Rows that can't be flushed any more belong to an export that is given up.
      }
    }
    this.#connection.closeSync();
    this.#instance.closeSync();
    await this.#folder.remove(workName);
    await this.#folder.removeQuietly(`${workName}.wal`);
  }
}
