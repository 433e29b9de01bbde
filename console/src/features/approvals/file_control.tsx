// A file for an answer: sent when it is chosen, and named in the answer by what the server knows of it.

import { useMutation } from '@tanstack/react-query';
import { sendFile } from '../../api/approvals';
import { fieldsOf, numberOf, textOf } from '../../model/events';
import { wordsOf } from '../../model/problem';
import { bytes, parsed } from '../../model/text';
import type { FieldProps } from './form_field';

// Names what is being sent for a question: its answer waits for that.
export const filesOf = (approval: string) => ['answer-file', approval];

export function FileControl({ approval, field, id, typed, wrong, onType }: FieldProps) {
  const send = useMutation({
    mutationKey: filesOf(approval),
    mutationFn: (file: File) => {
      if (file.size > field.maxBytes) throw new Error(`The file has ${bytes(file.size)}, and ${bytes(field.maxBytes)} are allowed.`);
      return sendFile(approval, field.name, file);
    },
    onSuccess: (kept) => onType(JSON.stringify(kept)),
    onError: () => onType(''),
  });
  const kept = fieldsOf(parsed(typed));
  return (
    <div className="file-field">
      <input id={id} type="file" accept={field.accept.join(',')} aria-describedby={`${id}-says`} aria-invalid={wrong || send.isError ? true : undefined} disabled={send.isPending}
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) send.mutate(file);
          else onType('');
        }} />
      <p className="note" role="status">{send.isPending ? 'It is being sent.' : typed !== '' ? `${textOf(kept['name'])}: ${textOf(kept['media_type'])}, ${bytes(numberOf(kept['bytes']) ?? 0)}` : ''}</p>
      {send.isError && <p className="problem" role="alert">{wordsOf(send.error)}</p>}
    </div>
  );
}
