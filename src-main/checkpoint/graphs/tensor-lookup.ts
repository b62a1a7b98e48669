/** How graph building asks for the checkpoint's tensors. */
export interface TensorLookup {
  /**
   * Checks that a tensor is there with this shape, and returns its name in the checkpoint.
   *
   * @param name in the naming of current transformers without its leading 'model.', e.g. 'visual.merger.ln_q.weight'
   *   or 'language_model.norm.weight'
   * @throws ReadroomError 'checkpoint-malformed' naming the tensor
   */
  require(name: string, shape: readonly number[]): string;
}
