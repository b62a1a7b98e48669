/** A button that shows a picture and says its name: to the pointer as a tooltip, to a screen reader as its label. */
import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './icon.tsx';

interface Props extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children' | 'title'> {
  readonly icon: IconName;
  readonly label: string;
  readonly 'data-testid'?: string;
}

export function IconButton({ icon, label, className = '', ...rest }: Props) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
