/** Vite takes style sheets in as imports; to TypeScript they have nothing in them. */
declare module '*.css';
