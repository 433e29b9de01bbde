// What a model wrote. It is somebody else's text: no HTML of its own, no picture from anywhere, links that say nothing of
// where they were followed from. Unfinished Markdown (a stream) is shown as far as it makes sense.

import { Streamdown, defaultRehypePlugins, type StreamdownProps } from 'streamdown';

const safe = (url: string | undefined): string | undefined => (url && /^(https?:|mailto:)/i.test(url) ? url : undefined);

const parts: StreamdownProps['components'] = {
  a: ({ href, children }) => (safe(href) ? <a href={safe(href)} target="_blank" rel="noopener noreferrer nofollow">{children}</a> : <span>{children}</span>),
  img: ({ src, alt }) => <span className="note">[picture: {alt || 'without a text'}{typeof src === 'string' && safe(src) ? `, ${src}` : ''}]</span>,
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  code: ({ children }) => <code>{children}</code>,
  table: ({ children }) => <div className="scroll" tabIndex={0} role="group" aria-label="Table"><table>{children}</table></div>,
};
for (const tag of ['thead', 'tbody', 'tr', 'th', 'td', 'ul', 'ol', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'hr', 'strong', 'em', 'p', 'sup', 'sub'] as const) {
  const Tag = tag as 'p';
  (parts as Record<string, unknown>)[tag] = ({ children }: { children?: React.ReactNode }) => (tag === 'hr' ? <hr /> : <Tag>{children}</Tag>);
}

export default function Markdown({ text, live }: { text: string; live: boolean }) {
  return (
    <Streamdown className="prose" components={parts} mode={live ? 'streaming' : 'static'} parseIncompleteMarkdown={live} skipHtml
      rehypePlugins={[defaultRehypePlugins['sanitize']!]} controls={false} linkSafety={{ enabled: false }}>
      {text}
    </Streamdown>
  );
}
