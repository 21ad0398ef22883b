// Buttons and links that look like buttons.
import { Link, type LinkProps } from '@tanstack/react-router'
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'

export type Tone = 'plain' | 'primary' | 'danger' | 'quiet'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: Tone
  icon?: IconName
  /** Work under way: the button stays focusable, says so, and does nothing. */
  busy?: boolean
}

export function Button({ tone = 'plain', icon, busy, children, className, onClick, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={`button ${tone} ${className ?? ''}`}
      aria-disabled={busy || rest.disabled || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

export function IconButton({ icon, label, ...rest }: Omit<ButtonProps, 'children'> & { icon: IconName; label: string }) {
  return (
    <button type="button" {...rest} className={`icon-button ${rest.className ?? ''}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  )
}

export function LinkButton({ tone = 'plain', icon, children, ...link }: LinkProps & { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <Link {...link} className={`button ${tone}`}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  )
}
