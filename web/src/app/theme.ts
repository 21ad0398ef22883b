// Light, dark, or as the system says. The choice is the only thing that the console keeps in the browser's storage.

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'weir.theme'

export function currentTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'light' || kept === 'dark' ? kept : 'system'
  } catch {
    // Storage may be forbidden; the system's choice is a good one.
    return 'system'
  }
}

export function applyTheme(theme: Theme = currentTheme()): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

export function chooseTheme(theme: Theme): void {
  try {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
  } catch {
    // Then it holds until the page is left.
  }
  applyTheme(theme)
}
