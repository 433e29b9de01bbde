import { NewChat } from '../features/chat/chat';

export default NewChat;
