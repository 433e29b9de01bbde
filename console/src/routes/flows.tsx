import { FlowList } from '../features/flows/flow_list';

export default FlowList;
