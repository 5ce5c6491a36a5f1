def rfc4134(a,b,c): return []
def rfc9216(a,b,c): return []
