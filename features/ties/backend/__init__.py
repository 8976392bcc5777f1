"""networkx functions on sparse rows: what `nx.pagerank(ties)` and `nx.pagerank(G, backend="churnrisk")` run.

It knows networkx's conventions (labels, dicts, sets, error types) and refuses to know customers. The interface that
networkx loads is `interface.backend`; `churnrisk.networkx_info` lists what is covered.
"""
