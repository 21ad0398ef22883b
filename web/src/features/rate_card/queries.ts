// Reads of rate cards.
import { useList, useObject } from '../../api/hooks.ts'

export const useRateCards = () => useList('/v1/rate-cards')
export const useRateCard = (id: string | undefined) => useObject('/v1/rate-cards', id)
