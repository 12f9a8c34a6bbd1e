// SPDX-License-Identifier: Apache-2.0
// Messages about what the server offers now and did not before, or does no longer.
import {runNews, runsNow} from "../view/run_news.js";

/** Another run of what is shown has come. before: of runsNow(), from before the catalog changed; state: the page's; showLatest(): what "Show it" does. */
export function sayRunNews(messages, before, {resolved, view}, showLatest) {
  const news = runNews(before, runsNow(resolved), view?.run, resolved?.calendar);
  if (!news) return;
  const action = {label: "Show it", run: () => { messages.clear("run"); showLatest(); }};
  messages.show("run", news.newer ? {text: news.text, seconds: 0, action} : {text: news.text, seconds: 8, action: null});
}

/** The dataset that is shown is gone. */
export function sayGone(messages, {resolved, view}) {
  const {title, id} = resolved?.dataset ?? {id: view.dataset};
  messages.show("dataset", {kind: "warning", title: `${title || id} is no longer here.`, text: "It was taken back, or the server cannot read it any more."});
}
