// Build of the console: external files only (strict CSP), and in development either a proxy to a control plane or the mock.
import react from '@vitejs/plugin-react'
import { defineConfig, type PluginOption } from 'vite'

// The mock is loaded only for `vite` and `vite preview`, so that nothing of it can reach the build.
async function backend(target: string | undefined): Promise<PluginOption> {
  if (target) return null
  const { mockApi } = await import('./dev/mock.ts')
  return mockApi()
}

export default defineConfig(async ({ command, isPreview }) => {
  const target = process.env.WEIR_API
  const proxy = target ? { '/v1': { target, changeOrigin: false } } : undefined
  const serving = command === 'serve' || isPreview
  return {
    base: '/',
    plugins: [react(), serving ? await backend(target) : null],
    build: {
      target: 'es2022',
      // A data: URL would be blocked by the CSP; every asset stays a file.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: false,
      chunkSizeWarningLimit: 400,
    },
    server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 22500), strictPort: true, proxy },
    preview: { host: '127.0.0.1', port: Number(process.env.PORT ?? 22501), strictPort: true, proxy },
  }
})
