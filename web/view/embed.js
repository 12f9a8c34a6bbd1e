// SPDX-License-Identifier: Apache-2.0
// What the page shows when it is part of another page, by its address:
//   ?embed                 the picture with its captions, legends and timeline, without the panel
//   ?embed=1               … without tools, and without the timeline, unless &timeline
// A page of the same origin that holds it in a frame may steer it (tools/host_channel.js).

/** {embedded, bare: without tools, timeline: is there a timeline} of an address's query. */
export function embedOptions(search) {
  const parameters = new URLSearchParams(search), embed = parameters.get("embed");
  return {embedded: embed !== null, bare: Boolean(embed), timeline: !embed || parameters.has("timeline")};
}
