// SPDX-License-Identifier: Apache-2.0
// The session that the server keeps for this page where one is needed, and the cluster that it may have: begun, told to the viewer, steered.
import {JsonApi} from "../net/json_api.js";
import {createEngineChip} from "../ui/engine_chip.js";

/**
 * page: {state: whose `ownCluster` and `engine` it keeps, session: of net/session.js, viewer() → Viewer, messages, base, host: where the cluster's chip stands,
 * changed(): what is known of the cluster did}.
 */
export function createSessionTool({state, session, viewer, messages, base, host, changed}) {
  const api = new JsonApi(base, "api/");
  const chip = createEngineChip(host, {action: changeEngine});

  /** What the server says of the session: one that it does not know is of no use, and where everyone has a cluster of their own a new one is begun. */
  async function onUser({known, needed}) {
    if (known) return;
    session.forget();
    if (!needed) return;
    state.ownCluster = true;
    changed();
    try {
      await session.start();
      viewer().tellUser();
    } catch (error) {
      messages.show("session", {kind: "warning", title: "There is no cluster for you now.", text: error.message, action: {label: "Try again", run: () => onUser({known, needed})}});
    }
  }

  /** The server tells how the cluster is. */
  function onEngine({state: engine}) {
    state.engine = engine;
    chip.update(engine);
    changed();
  }

  async function changeEngine(action) {
    onEngine({state: await api.json("POST", "engine", {body: {action}})});
  }

  return {onUser, onEngine};
}
