/** The window's page. */
import { createRoot } from 'react-dom/client';

createRoot(document.getElementById('root')!).render(<h1>Readroom</h1>);
