// Roles, by namespace, as boxes to tick.

import { useState } from 'react';
import { ROLES, ROLE_SAYS, namespaceWords, withRole, type Roles } from '../../model/roles';

export function RolesFields({ roles, onRoles }: { roles: Roles; onRoles: (roles: Roles) => void }) {
  const [typed, setTyped] = useState('');
  const add = () => {
    const name = typed.trim();
    if (name && !(name in roles)) onRoles({ ...roles, [name]: [] });
    setTyped('');
  };
  return (
    <>
      {Object.keys(roles).map((namespace) => (
        <fieldset key={namespace} className="roles">
          <legend>In {namespaceWords(namespace)}</legend>
          {ROLES.map((role) => (
            <label key={role} className="role">
              <input type="checkbox" checked={roles[namespace]?.includes(role) ?? false} onChange={(event) => onRoles(withRole(roles, namespace, role, event.target.checked))} />
              <span>{role} <span className="note">{ROLE_SAYS[role]}</span></span>
            </label>
          ))}
        </fieldset>
      ))}
      <div className="another">
        <input aria-label="Another namespace" placeholder="Another namespace; * is every one" maxLength={200} value={typed} onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => { if (event.key === 'Enter') { event.preventDefault(); add(); } }} />
        <button className="button small" type="button" disabled={typed.trim() === ''} onClick={add}>Add</button>
      </div>
    </>
  );
}
