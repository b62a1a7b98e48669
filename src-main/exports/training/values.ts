/** Messages and lists as DuckDB takes them. */
import { type DuckDBListValue, listValue, structValue } from '@duckdb/node-api';
import type { Message } from './sample.ts';

export const messagesType = 'STRUCT(role VARCHAR, content VARCHAR)[]';

export const messagesValue = (messages: readonly Message[]): DuckDBListValue =>
  listValue(messages.map(({ role, content }) => structValue({ role, content })));

export const textsValue = (texts: readonly string[]): DuckDBListValue => listValue([...texts]);
