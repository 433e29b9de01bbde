// One field of a question's form. A label, a hint and what is wrong with it belong to the field for those who do not see it.

import type { FormField, Typed } from '../../model/form';
import { bytes } from '../../model/text';
import { FileControl } from './file_control';

export const fieldId = (approval: string, name: string): string => `answer-${approval}-${name}`;

export interface FieldProps { approval: string; field: FormField; id: string; typed: Typed[string]; wrong: string | undefined; onType: (typed: Typed[string]) => void }

const choiceWords = (choice: unknown): string => (typeof choice === 'string' ? choice : JSON.stringify(choice));

// Yes or no, and some of a list, are groups of boxes: what was not chosen is no answer.
function Choices({ field, id, typed, wrong, onType }: FieldProps) {
  const some = field.kind === 'some';
  const choices = some ? field.choices.map((choice, at) => [String(at), choiceWords(choice)] as const) : ([['true', 'Yes'], ['false', 'No']] as const);
  const isChosen = (value: string) => (typeof typed === 'string' ? typed === value : typed.includes(value));
  const choose = (value: string, on: boolean) => {
    if (typeof typed === 'string') return onType(value);
    onType(on ? [...typed, value] : typed.filter((one) => one !== value));
  };
  return (
    <div className="choices" id={id} tabIndex={-1} role={some ? 'group' : 'radiogroup'} aria-labelledby={`${id}-label`} aria-describedby={`${id}-says`} aria-invalid={some || !wrong ? undefined : true}>
      {choices.map(([value, words]) => (
        <label key={value} className="check"><input type={some ? 'checkbox' : 'radio'} name={id} checked={isChosen(value)} onChange={(event) => choose(value, event.target.checked)} /> <span>{words}</span></label>
      ))}
    </div>
  );
}

function Control(props: FieldProps) {
  const { field, id, typed, wrong, onType } = props;
  const value = typeof typed === 'string' ? typed : '';
  const common = { id, 'aria-describedby': `${id}-says`, 'aria-required': field.required, 'aria-invalid': wrong ? true : undefined } as const;
  switch (field.kind) {
    case 'yes_no':
    case 'some': return <Choices {...props} />;
    case 'one':
      return (
        <select {...common} value={value} onChange={(event) => onType(event.target.value)}>
          <option value="">{field.required ? 'Choose' : 'Nothing'}</option>
          {field.choices.map((choice, at) => <option key={at} value={String(at)}>{choiceWords(choice)}</option>)}
        </select>
      );
    case 'number': return <input {...common} type="text" inputMode="decimal" autoComplete="off" value={value} onChange={(event) => onType(event.target.value)} />;
    case 'text': return <input {...common} type={field.inputType} autoComplete="off" value={value} onChange={(event) => onType(event.target.value)} />;
    case 'lines': return <textarea {...common} rows={3} value={value} onChange={(event) => onType(event.target.value)} />;
    case 'file': return <FileControl {...props} />;
    case 'json': return <textarea {...common} className="code" rows={4} spellCheck={false} placeholder="JSON" value={value} onChange={(event) => onType(event.target.value)} />;
  }
}

function boundsWords({ kind, bounds: { min, max }, maxLength, accept, maxBytes }: FormField): string {
  if (kind === 'file') return `${accept.join(', ')}; at most ${bytes(maxBytes)}`;
  if (kind === 'number' && min !== undefined && max !== undefined) return `${min} to ${max}`;
  if (kind === 'number' && min !== undefined) return `at least ${min}`;
  if (kind === 'number' && max !== undefined) return `at most ${max}`;
  return maxLength === undefined ? '' : `at most ${maxLength} characters`;
}

export function Field(props: FieldProps) {
  const { field, id, wrong } = props;
  const grouped = field.kind === 'yes_no' || field.kind === 'some';
  const label = <>{field.label}{!field.required && <span className="note"> (optional)</span>}</>;
  const says = [field.hint, boundsWords(field)].filter(Boolean).join('; ');
  return (
    <div className={wrong ? 'form-field wrong' : 'form-field'} data-field={field.name}>
      {grouped ? <span className="label" id={`${id}-label`}>{label}</span> : <label htmlFor={id}>{label}</label>}
      <Control {...props} />
      <p className="note" id={`${id}-says`}>{wrong && <span className="problem" role="alert">{wrong} </span>}{says}</p>
    </div>
  );
}
