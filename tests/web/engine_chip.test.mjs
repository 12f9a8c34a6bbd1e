// SPDX-License-Identifier: Apache-2.0
// Words for the state of a cluster, and what a link's fragment may hold.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {codeOf, sentence} from '../../web/net/session.js';
import {describeBytes, describeEngine} from '../../web/ui/engine_chip.js';

const running = {cluster: 'local', state: 'running', wanted: [0, 4], workers: 2, threads: 4, memory: 3.2e9, memory_limit: 8e9, tasks: 12,
    started_seconds: 7.6, dashboard: 'http://127.0.0.1:8787/status', message: null, clusters: 'shared', own: false, may: true};

test('without a cluster nothing is said', () => {
    assert.equal(describeEngine(null), null);
    assert.equal(describeEngine({...running, cluster: 'none', state: 'running'}), null);
    assert.equal(describeEngine({...running, cluster: 'none', state: 'stopped'}), null);
});

test('an engine without a cluster that fails is said', () => {
    const words = describeEngine({cluster: 'none', state: 'failed', message: 'the engine ends as soon as it is started'});
    assert.equal(words.tone, 'bad');
    assert.ok(words.notes.some((note) => note.includes('ends as soon')));
});

test('a running cluster tells workers, memory and tasks', () => {
    const words = describeEngine(running);
    assert.deepEqual([words.text, ...words.more], ['cluster', '2 workers', 'memory 40 %', '12 tasks']);
    assert.equal(words.tone, 'good');
    assert.deepEqual(Object.fromEntries(words.facts), {Workers: '2 of at most 4, 4 threads', Memory: '3.2 GB of 8.0 GB', Tasks: '12 running or waiting', 'Started in': '8 s'});
    assert.equal(words.dashboard, running.dashboard);
    assert.equal(words.action, 'stop');
});

test('one of a thing is one', () => {
    assert.deepEqual(describeEngine({...running, workers: 1, memory: 0, tasks: 1}).more, ['1 worker', '1 task']);
});

test('a cluster that starts counts the seconds', () => {
    assert.deepEqual(describeEngine({...running, state: 'starting', workers: 0}, 0.4).more, []);
    assert.deepEqual(describeEngine({...running, state: 'starting', workers: 0}, 12.9).more, ['12 s']);
});

test('every other state has words, a tone and no dashboard that is gone', () => {
    for (const [state, tone] of [['idle', 'idle'], ['lost', 'bad'], ['stopped', 'idle'], ['failed', 'bad']]) {
        const words = describeEngine({...running, state});
        assert.equal(words.tone, tone);
        assert.ok(words.text.startsWith('cluster') && words.notes.length >= 2);
        if (state === 'stopped' || state === 'failed') assert.equal(words.dashboard, null);
    }
});

test('who may not start and stop it has no button, and whose it is is said', () => {
    assert.equal(describeEngine({...running, may: false}).action, null);
    assert.equal(describeEngine({...running, state: 'stopped'}).action, 'start');
    assert.equal(describeEngine({...running, own: true}).button, 'Stop my cluster');
    assert.equal(describeEngine({...running, state: 'stopped'}).button, 'Start the cluster');
    assert.equal(describeEngine({...running, cluster: 'shared'}).button, 'Leave the cluster');
});

test('nulls and a state that is not known do no harm', () => {
    const nulls = Object.fromEntries(Object.keys(running).map((key) => [key, null]));
    assert.ok(describeEngine({...nulls, cluster: 'shared', state: 'running'}).more.includes('0 workers'));
    assert.ok(describeEngine({...running, state: 'strange'}).text);
});

test('bytes are told in two digits or more', () => {
    assert.deepEqual([123e3, 5.4e6, 3.2e9, 25e9].map(describeBytes), ['123 kB', '5 MB', '3.2 GB', '25 GB']);
});

test('a code is found in a fragment and nowhere else', () => {
    const code = 'a'.repeat(41) + '-_';
    assert.equal(codeOf(`#code=${code}`), code);
    assert.equal(codeOf(`#code=${code}&x=1`), code);
    for (const hash of ['', '#', '#code=', '#code=short', `#v1=${code}`, `#view=code=${code}`, `#code=${code}<script>`, `#xcode=${code}`]) assert.equal(codeOf(hash), null);
});

test('what the server says becomes a sentence', () => {
    assert.equal(sentence('this code is not valid'), 'This code is not valid.');
    assert.equal(sentence('Really?'), 'Really?');
});
