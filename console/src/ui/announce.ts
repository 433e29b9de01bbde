// One polite live region: what happened, for those who do not see it happen. Never token by token.

export function announce(text: string): void {
  const region = document.getElementById('announce');
  if (region) region.textContent = text;
}
