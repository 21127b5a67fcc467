# judged: WIN03
from shop.doors import open

# fine: WIN03
front = open("front")
