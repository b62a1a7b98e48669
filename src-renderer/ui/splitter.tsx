/** The border between two areas: dragged with the pointer, moved with the arrow keys. */
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';

interface Props {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** 1 where the area on the left is measured, -1 for the one on the right. */
  readonly direction: 1 | -1;
  readonly onChange: (value: number) => void;
}

const keyStep = 16;

export function Splitter({ label, value, min, max, direction, onChange }: Props) {
  const drag = useRef<{ readonly x: number; readonly value: number } | null>(null);
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, value };
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (drag.current) onChange(drag.current.value + direction * (event.clientX - drag.current.x));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -keyStep, ArrowRight: keyStep }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onChange(value + direction * step);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule that moves is a separator with a value; <hr> can't have one.
    <div
      className="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        drag.current = null;
      }}
      onKeyDown={onKeyDown}
    />
  );
}
