"""Many requests: read from a file, sent some at a time, their responses written as they come.

asked       What one command line of `batch` asks for.
lane        The provider's lane (API 13): the status of batches, their end, and what a server that offers
            none is told as.
lane_input  The input of a batch as the provider takes it (API 13.2): checked, and written to a file of its
            own.
results     `batch fetch`: the results of a batch that has ended, written whole; what they amount to.
submit      `batch submit`: the input checked, uploaded, and made a batch of; with --wait also its
            results.
submitted   The batches that were submitted from here: which one an argument names, and what is recorded of
            it.
waiting     A batch that is waited for: asked for with growing pauses, through errors that pass, while its
            progress is shown.
"""
