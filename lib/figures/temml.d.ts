/** What is used of it: its own types stand where TypeScript does not look. */
declare module 'temml' {
  const temml: { renderToString(tex: string, options?: { displayMode?: boolean; throwOnError?: boolean }): string };
  export default temml;
}
