#include "net/test_sim.h"
int main(void)
{
    return 0;
}
