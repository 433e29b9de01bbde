// One stream of events for the whole console: news of all runs, and the logs of those that are looked at. It goes on
// where it was, after the server's death too: the id of an event is a durable cursor.
//
// The browser reconnects by itself; a new address (another run is looked at) takes the cursor along. A run that was left
// stays on the stream for a while, so that coming back to it costs nothing.

import { EVENT_TYPES, type RunEvent } from '../model/events';
import { RunLog } from '../model/run_log';

export type LinkState = 'connecting' | 'live' | 'down';
// Null: the stream was opened (again): whatever is known may be old.
export type NewsListener = (event: RunEvent | null) => void;

const KEPT = 3; // logs that nobody looks at
const RETRY_MS = 700;
// Many events become one repaint, and a repaint that takes long (a log that arrives whole) comes more seldom.
const REPAINT_MS = 16;
const REPAINT_SHARE = 3;
const REPAINT_MAX_MS = 500;

interface Held {
  log: RunLog;
  holders: number;
  listeners: Set<() => void>;
}

export class Live {
  #runs = new Map<string, Held>(); // those looked at last are last
  #news = new Set<NewsListener>();
  #links = new Set<() => void>();
  #source: EventSource | null = null;
  #address = '';
  #cursor = '';
  #link: LinkState = 'connecting';
  #changed = new Set<Held>();
  #dropped = new Set<string>(); // runs whose log is gone, while the cursor may still speak of them
  #opening = false;
  #pause = REPAINT_MS;

  get link(): LinkState { return this.#link; }

  onLink = (listener: () => void): (() => void) => {
    this.#links.add(listener);
    return () => this.#links.delete(listener);
  };

  onNews(listener: NewsListener): () => void {
    this.#news.add(listener);
    this.#openSoon();
    return () => this.#news.delete(listener);
  }

  log(run: string): RunLog { return this.#held(run).log; }

  // Keeps a run on the stream; the answer lets it go.
  hold(run: string, listener: () => void): () => void {
    const held = this.#held(run);
    held.holders++;
    held.listeners.add(listener);
    this.#runs.delete(run);
    this.#runs.set(run, held);
    this.#openSoon();
    return () => {
      held.holders--;
      held.listeners.delete(listener);
    };
  }

  // Of a page that is put away (the browser keeps some for the way back): its connection would count against the few that
  // there are for a server.
  rest(): void {
    this.#source?.close();
    this.#source = null;
  }

  wake(): void {
    if (!this.#source && this.#address) this.#open(this.#address);
  }

  #held(run: string): Held {
    let held = this.#runs.get(run);
    if (!held) this.#runs.set(run, (held = { log: new RunLog(run), holders: 0, listeners: new Set() }));
    return held;
  }

  // Several that come and go in one moment are one new address.
  #openSoon(): void {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      const idle = [...this.#runs].filter(([, held]) => held.holders === 0);
      for (const [run] of idle.slice(0, Math.max(0, idle.length - KEPT))) {
        this.#runs.delete(run);
        this.#dropped.add(run);
      }
      const runs = [...this.#runs.keys()].sort();
      const address = `/api/v1/events?${new URLSearchParams(runs.map((run) => ['run', run]))}`;
      if (address !== this.#address) this.#open(address);
    });
  }

  #open(address: string): void {
    this.#source?.close();
    this.#address = address;
    if ([...this.#runs.keys()].some((run) => this.#dropped.has(run))) this.#beginAnew();
    const cursor = this.#cursor && `${address.endsWith('?') ? '' : '&'}cursor=${encodeURIComponent(this.#cursor)}`;
    const source = new EventSource(address + cursor);
    this.#source = source;
    source.onopen = () => {
      this.#setLink('live');
      for (const listener of this.#news) listener(null);
    };
    source.onerror = () => {
      if (source !== this.#source) return;
      this.#setLink('down');
      // The browser tries again by itself, except after an answer that is no stream.
      if (source.readyState === EventSource.CLOSED) {
        setTimeout(() => { if (source === this.#source) this.#open(address); }, RETRY_MS);
      }
    };
    const read = (message: MessageEvent<string>): RunEvent => {
      if (message.lastEventId && message.lastEventId !== this.#cursor) {
        this.#cursor = message.lastEventId;
        this.#dropped.clear();
      }
      return JSON.parse(message.data) as RunEvent;
    };
    source.addEventListener('runs', (message) => this.#tell(read(message)));
    source.addEventListener('reset', (message) => {
      const held = this.#runs.get(read(message).run);
      if (!held) return this.#tell(null);
      held.log.clear();
      this.#touch(held);
    });
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (message) => {
        const event = read(message);
        const held = this.#runs.get(event.run);
        if (held?.log.apply(event)) this.#touch(held);
        if (type !== 'delta') this.#tell(event);
      });
    }
  }

  #beginAnew(): void {
    this.#cursor = '';
    this.#dropped.clear();
    for (const held of this.#runs.values()) held.log.clear();
  }

  #tell(event: RunEvent | null): void {
    for (const listener of this.#news) listener(event);
  }

  #touch(held: Held): void {
    if (this.#changed.size === 0) setTimeout(() => this.#repaint(), this.#pause);
    this.#changed.add(held);
  }

  #repaint(): void {
    const changed = [...this.#changed];
    const began = performance.now();
    this.#changed.clear();
    for (const held of changed) for (const listener of held.listeners) listener();
    setTimeout(() => { this.#pause = Math.max(REPAINT_MS, Math.min(REPAINT_MAX_MS, REPAINT_SHARE * (performance.now() - began))); });
  }

  #setLink(link: LinkState): void {
    if (link === this.#link) return;
    this.#link = link;
    for (const listener of this.#links) listener();
  }
}

export const live = new Live();
