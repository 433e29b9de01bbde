// Arguments and results: rows become a table, an object names and values, everything else text. Always text, never
// markup: it comes from models and tools.

import { useState } from 'react';
import { parsed } from '../model/text';

type Row = Record<string, unknown>;

const MAX_ROWS = 50;
const MAX_FIELDS = 24;
const MAX_TEXT = 20_000; // characters that are shown at once

const isPlain = (value: unknown): boolean => value === null || typeof value !== 'object';
// What is empty needs no room of its own.
const isBare = (value: unknown): boolean => isPlain(value) || Object.keys(value as object).length === 0;
const isObject = (value: unknown): value is Row => value !== null && typeof value === 'object' && !Array.isArray(value);
const isRow = (value: unknown): value is Row => isObject(value) && Object.values(value).every(isPlain);
const areRows = (value: unknown): value is Row[] => Array.isArray(value) && value.length > 0 && value.every(isRow);

function Rows({ rows }: { rows: Row[] }) {
  const [shown, setShown] = useState(MAX_ROWS);
  const names = [...new Set(rows.flatMap(Object.keys))];
  return (
    <>
      <div className="scroll" tabIndex={0} role="group" aria-label="Rows">
        <table>
          <thead><tr>{names.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {rows.slice(0, shown).map((row, i) => <tr key={i}>{names.map((name) => <td key={name}>{String(row[name] ?? '')}</td>)}</tr>)}
          </tbody>
        </table>
      </div>
      {rows.length > shown && <button className="button small quiet" onClick={() => setShown(shown + 500)}>{rows.length - shown} more rows</button>}
    </>
  );
}

function Text({ text }: { text: string }) {
  const [shown, setShown] = useState(MAX_TEXT);
  return (
    <>
      <pre className="value" tabIndex={0} role="group" aria-label="Text">{text.slice(0, shown)}</pre>
      {text.length > shown && (
        <button className="button small quiet" onClick={() => setShown(shown * 4)}>{(text.length - shown).toLocaleString('en')} more characters</button>
      )}
    </>
  );
}

export function Value({ of }: { of: unknown }) {
  const value = parsed(of);
  if (areRows(value)) return <Rows rows={value} />;
  if (isObject(value)) {
    const entries = Object.entries(value);
    const only = entries.length === 1 ? entries[0]![1] : null;
    if (areRows(only)) return <Rows rows={only} />;
    if (entries.length > 0 && entries.length <= MAX_FIELDS) {
      return (
        <dl className="fields">
          {entries.map(([name, field]) => (
            <div key={name} style={{ display: 'contents' }}>
              <dt>{name}</dt>
              <dd>{isPlain(field) ? String(field) : isBare(field) ? JSON.stringify(field) : <Value of={field} />}</dd>
            </div>
          ))}
        </dl>
      );
    }
  }
  return <Text text={isPlain(value) ? String(value ?? '') : JSON.stringify(value, null, 2)} />;
}
