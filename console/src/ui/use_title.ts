// What the window is called while a screen is shown: of many tabs, the one that is meant.

import { useEffect } from 'react';

const NAME = 'Holdfast';

export function useTitle(words: string | undefined): void {
  useEffect(() => {
    document.title = words ? `${words} \u00B7 ${NAME}` : NAME;
    return () => { document.title = NAME; };
  }, [words]);
}
