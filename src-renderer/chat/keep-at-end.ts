/** What a turn calls when it has grown. */
import { createContext } from 'react';

export const KeepAtEnd = createContext<() => void>(() => undefined);
