/** Two threads that cross between four nodes. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#4c5fd5" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M8 9h5c6 0 0 14 6 14h5" />
        <path d="M8 23h5c2 0 2.6-1.6 3-3.6M24 9h-5c-1.8 0-2.400 1.500-2.800 3.400" opacity="0.72" />
      </g>
      <g fill="#fff">
        <circle cx="8" cy="9" r="2.6" />
        <circle cx="8" cy="23" r="2.6" />
        <circle cx="24" cy="9" r="2.6" />
        <circle cx="24" cy="23" r="2.6" />
      </g>
    </svg>
  );
}
