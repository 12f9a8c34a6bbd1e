// SPDX-License-Identifier: Apache-2.0
// Numeric tiles: PNG whose red, green and blue are one number of 24 bits, the value = offset + number × scale; both are named in the file's texts.

/** {offset, scale} from the tEXt chunks of a PNG's bytes. Throws where they are not there. */
export function valueScale(bytes) {
  const view = new DataView(bytes), found = {};
  for (let at = 8; at + 12 <= bytes.byteLength;) {
    const length = view.getUint32(at), type = String.fromCharCode(...new Uint8Array(bytes, at + 4, 4));
    if (type === "IDAT" || at + 12 + length > bytes.byteLength) break;
    if (type === "tEXt") {
      const [name, value] = new TextDecoder("latin1").decode(new Uint8Array(bytes, at + 8, length)).split("\0");
      if (name === "offset" || name === "scale") found[name] = Number(value);
    }
    at += 12 + length;
  }
  if (!Number.isFinite(found.offset) || !Number.isFinite(found.scale)) throw new Error("This is no tile of values.");
  return found;
}

/** {width, height, values: Float64Array by rows, NaN where missing} of a Blob. */
export async function decodeValues(blob) {
  const {offset, scale} = valueScale(await blob.arrayBuffer());
  const image = await createImageBitmap(blob, {premultiplyAlpha: "none", colorSpaceConversion: "none"});
  const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height), values = new Float64Array(image.width * image.height);
  for (let n = 0; n < values.length; n++) values[n] = data[4 * n + 3] < 128 ? NaN : offset + scale * (65536 * data[4 * n] + 256 * data[4 * n + 1] + data[4 * n + 2]);
  return {width: image.width, height: image.height, values};
}
