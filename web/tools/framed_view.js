// SPDX-License-Identifier: Apache-2.0
// A view in a frame, as the page that holds it sees it: what host_channel.js says at the other end.
import {encodeHash} from "../view/view_hash.js";

const GREET_MS = 250; // until the frame's page listens

/** on, each optional: view(about), camera(there), step(iso) chosen there, shown(iso), ready(flags), place({lon, lat, height}) clicked, escape() pressed. `about` is null until the frame has shown a view. */
export class FramedView {
  constructor(frame, on) {
    this.frame = frame;
    this.on = on;
    this.about = null;
    this.shown = null;   // ISO time on screen
    this.asked = null;   // ISO time asked for, or null
    this.begun = false;
    this.ready = [];
    this.#listen();
  }

  /** Begins with a view, or with what the page shows by itself. */
  async begin(view) {
    this.begun = true;
    this.beginAt(`./?embed=1${view ? await encodeHash(view) : ""}`);
  }

  /** Begins with whatever the page shows at this address of it. */
  beginAt(address) {
    this.begun = true;
    this.frame.src = address;
    clearInterval(this.greeting);
    this.greeting = setInterval(() => this.tell("hello"), GREET_MS);
  }

  /** The frame is empty again. */
  end() {
    clearInterval(this.greeting);
    this.frame.removeAttribute("src");
    this.begun = false;
    this.about = this.shown = this.asked = null;
    this.ready = [];
  }

  /** Says something to the frame; see host_channel.js. */
  tell(say, more = {}) {
    try {
      if (this.frame.contentWindow?.location.origin !== window.location.origin) return; // still empty
    } catch {
      return; // somebody else's by now
    }
    this.frame.contentWindow.postMessage({virga: 1, say, ...more}, window.location.origin);
  }

  #listen() {
    const answers = {
      view: (about) => {
        clearInterval(this.greeting);
        this.about = about;
        this.on.view?.(about);
      },
      camera: (there) => this.on.camera?.(there),
      step: ({iso}) => this.on.step?.(iso),
      shown: ({iso}) => { this.shown = iso; this.on.shown?.(iso); },
      place: (where) => this.on.place?.(where),
      escape: () => this.on.escape?.(),
      ready: ({ready}) => { this.ready = ready; this.on.ready?.(ready); },
    };
    this.listener = ({origin, source, data}) => {
      if (source === this.frame.contentWindow && origin === window.location.origin && data?.virga === 1 && Object.hasOwn(answers, data.say)) answers[data.say](data);
    };
    window.addEventListener("message", this.listener);
  }

  /** Listens no more, and takes the frame away. */
  dispose() {
    clearInterval(this.greeting);
    window.removeEventListener("message", this.listener);
    this.frame.remove();
  }
}
