/** A response as it can be read. */

/** One placeholder stands for the thousands of a crop: they say nothing to a reader. */
export function shortened(response: string): string {
  return response.replace(/(?:<\|image_pad\|>){2,}/g, (run) => {
    const count = run.length / '<|image_pad|>'.length;
    return `<|image_pad|> × ${count}`;
  });
}
