import { NewRun } from '../features/runs/new_run';

export default NewRun;
