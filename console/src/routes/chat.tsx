import { getRouteApi } from '@tanstack/react-router';
import { Chat } from '../features/chat/chat';

const route = getRouteApi('/chat/$conversation');

export default function ChatRoute() {
  const { conversation } = route.useParams();
  return <Chat key={conversation} id={conversation} />;
}
