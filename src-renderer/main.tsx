/** The window's page: stores are connected to the main side first, then it is drawn. */
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { bindKeys } from './commands/keys.ts';
import { bindReviewKeys } from './review/keyboard/keys.ts';
import { connect } from './state/connect.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/panels.css';
import './styles/chat.css';
import './styles/sides.css';

connect();
// First: while a run is read, its keys come before those of the same name.
bindReviewKeys();
bindKeys();
const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
