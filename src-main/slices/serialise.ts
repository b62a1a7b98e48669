/** Volumes and images to what the model is shown, each with the chain back to the patient. */
export { withProcessor } from './affine-chain.ts';
export { serialiseAnatomical } from './serialise-anatomical.ts';
export { type ImageOptions, type SerialisedImage, serialiseImage } from './serialise-image.ts';
export { type ReferenceArray, type Serialised, serialiseReference } from './serialise-reference.ts';
export { defaultTargetSize, type NormaliseMode, type TargetSize } from './serialise-volume.ts';
