// SPDX-License-Identifier: Apache-2.0
// Numeric tiles: PNG whose red, green and blue are one number of 24 bits, the value = offset + number × scale; both stand in the TileJSON.

/** {width, height, values: Float64Array by rows, NaN where missing} of a Blob. */
export async function decodeValues(blob, {offset, scale}) {
  const image = await createImageBitmap(blob, {premultiplyAlpha: "none", colorSpaceConversion: "none"});
  const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height), values = new Float64Array(image.width * image.height);
  for (let n = 0; n < values.length; n++) values[n] = data[4 * n + 3] < 128 ? NaN : offset + scale * (65536 * data[4 * n] + 256 * data[4 * n + 1] + data[4 * n + 2]);
  return {width: image.width, height: image.height, values};
}
