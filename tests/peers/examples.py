def rfc4134(a,b): return []
def rfc9216(a,b): return []
