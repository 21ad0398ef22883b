// The few glyphs of the console, drawn on a 16 px grid with the current colour. Decorative: the text beside them speaks.
const PATHS = {
  overview: 'M2 9h5V2H2zM9 14h5V7H9zM2 14h5v-3H2zM9 5h5V2H9z',
  environment: 'M8 1.5 14.5 5 8 8.5 1.5 5zM2 8l6 3.2L14 8M2 11l6 3.2L14 11',
  cluster: 'M8 2.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6M3.7 10.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6M12.3 10.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6M7.1 5.6 4.7 10.300M8.9 5.600l2.4 4.700M5.5 12h5',
  topic: 'M2 4c2-1.6 4-1.6 6 0s4 1.6 6 0M2 8c2-1.6 4-1.6 6 0s4 1.6 6 0M2 12c2-1.6 4-1.6 6 0s4 1.6 6 0',
  job: 'M2 8h3M11 8h3M5 4.500h6v7H5zM7 6.500l2 1.500-2 1.500',
  compute: 'M4 4h8v8H4zM6.500 6.500h3v3h-3zM6 1.500V4M10 1.500V4M6 12v2.500M10 12v2.500M1.500 6H4M1.500 10H4M12 6h2.500M12 10h2.500',
  contract: 'M4 1.500h6l3 3v10H4zM6.500 9.500l1.500 1.500 2.500-3M6.500 5h2',
  plane: 'M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.01M4.5 11h.01M7 5h4M7 11h4',
  share: 'M12 2a1.800 1.800 0 1 1 0 3.600a1.800 1.800 0 1 1 0-3.600M4 6.200a1.800 1.800 0 1 1 0 3.600a1.800 1.800 0 1 1 0-3.600M12 10.400a1.800 1.800 0 1 1 0 3.600a1.800 1.800 0 1 1 0-3.600M5.600 7.200l4.800-2.600M5.600 8.800l4.800 2.600',
  grant: 'M2 8h9M8 4.5 11.5 8 8 11.5M14 2.5v11',
  account: 'M8 2.5a2.7 2.7 0 1 1 0 5.4a2.7 2.7 0 1 1 0-5.4M2.5 14c.6-2.9 2.7-4.3 5.5-4.300s4.9 1.4 5.5 4.3',
  key: 'M5.2 8.1a2.7 2.7 0 1 1 0 5.4a2.7 2.7 0 1 1 0-5.4M7.2 8.8 13 3M10.5 5.500l2 2',
  role: 'M8 1.5 13.5 3.500v4c0 3.5-2.3 5.8-5.5 7-3.2-1.2-5.5-3.5-5.5-7v-4zM5.5 8l2 2 3.2-3.6',
  quota: 'M2 11a6 6 0 1 1 12 0M8 11l3-3.500M5 13.500h6',
  members: 'M6 2.8a2.4 2.4 0 1 1 0 4.8a2.4 2.4 0 1 1 0-4.8M1.5 13.500c.5-2.6 2.2-3.9 4.5-3.900s4 1.3 4.5 3.900M10.5 3a2.4 2.4 0 0 1 0 4.600M12 10.200c1.4.5 2.2 1.6 2.5 3.3',
  cost: 'M2 14h12M4 11.500V8M8 11.500V3M12 11.500V6',
  card: 'M1.5 3.500h13v9h-13zM1.5 6.500h13M4 10h3',
  audit: 'M4 1.500h6l3 3v10H4zM6 7h5M6 9.500h5M6 12h3',
  organization: 'M2.5 14V3h7v11M9.5 7h4v7M1 14h14M4.5 6h3M4.5 9h3',
  tenant: 'M2 6.5 8 2l6 4.500V14H2zM6 14v-4h4v4',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M3.5 3.500l9 9M12.5 3.500l-9 9',
  copy: 'M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  plus: 'M8 3v10M3 8h10',
  alert: 'M8 2 14.8 13.500H1.200zM8 6.500v3.500M8 11.900v.01',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  right: 'M6 4l4 4-4 4',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.500h11',
  person: 'M8 2.5a2.7 2.7 0 1 1 0 5.4a2.7 2.7 0 1 1 0-5.4M2.5 14c.6-2.9 2.7-4.3 5.5-4.300s4.9 1.4 5.5 4.3',
  code: 'M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4',
  external: 'M6 3H3v10h10v-3M9 2.500h4.500V7M13 3 7.5 8.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const dots = name === 'more'
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth={dots ? 2.4 : 1.4} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}

export function Mark() {
  return (
    <svg className="mark" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <path d="M5 11h9v10h4v-6h9" fill="none" stroke="#fff" strokeWidth="3" strokeLinejoin="round" strokeLinecap="round" />
      <path d="M5 26c2-2 4-2 6 0s4 2 6 0 4-2 6 0 3 1.5 4 .6" fill="none" stroke="#8fd3d0" strokeWidth="2.4" strokeLinecap="round" />
    </svg>
  )
}
