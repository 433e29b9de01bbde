import { getRouteApi } from '@tanstack/react-router';
import { Settings } from '../features/settings/settings';

const route = getRouteApi('/settings');

export default function SettingsRoute() {
  return <Settings part={route.useSearch().part} />;
}
